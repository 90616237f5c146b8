"""The audio front end's custom operators: framing, window, fixed-point FFT, filter bank."""
