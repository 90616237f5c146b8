"""Make every model and data file of this folder anew.

    python3 -m venv venv
    venv/bin/pip install tensorflow==2.21.0 scikit-learn==1.9.1 ai-edge-litert==2.3.0
    TF_ENABLE_ONEDNN_OPTS=0 TF_CPP_MIN_LOG_LEVEL=2 venv/bin/python examples/make_models.py

Made with Python 3.11, the versions above, Keras 3.15.1 and NumPy 2.4.6. An argument names another
folder to write to. Training runs on one thread of the CPU with fixed seeds: on one machine the
files come out the same byte for byte; another processor may round otherwise, and an accuracy may
then differ by a few images. Progress goes to stderr, the report to stdout.
TensorFlow makes the files; nothing needs it to read or run them.
"""

import contextlib
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from keras import layers
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SEED = 7
HELD_OUT_DIGITS = 200
DIGIT_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
DIGIT_EPOCHS = 40
SINE_EPOCHS = 300
UNTRAINED_SAMPLES = 64

Floats = NDArray[np.float32]


class Digits(NamedTuple):
    """Images [count, 8, 8, 1] of values 0..1 and labels [count], trained on and held out."""

    train_images: Floats
    test_images: Floats
    train_labels: NDArray[np.int64]
    test_labels: NDArray[np.int64]


class Row(NamedTuple):
    """What the report says about one file."""

    path: Path
    macs: int
    quality: str


# Data


def digits_data() -> Digits:
    """Split the bundled digits; the pixels 0..16 become 0..255 first, as in a PNG, then 0..1."""
    bundle = load_digits()
    pixels = np.rint(bundle.images * (255 / 16)).astype(np.uint8)
    images = (pixels[..., np.newaxis] / 255).astype(np.float32)
    labels = bundle.target.astype(np.int64)
    parts = train_test_split(
        images, labels, test_size=HELD_OUT_DIGITS, stratify=labels, random_state=SEED
    )
    return Digits(*parts)


def sine_data(count: int) -> tuple[Floats, Floats]:
    """Draw angles [count, 1] in 0..2 pi and their sines."""
    angles = np.random.default_rng(SEED).uniform(0, 2 * np.pi, (count, 1)).astype(np.float32)
    return angles, np.sin(angles)


def shifted(images: Floats, rows: int, columns: int) -> Floats:
    """Move images [count, 8, 8, 1] by at most one pixel; what enters is background."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return padded[:, 1 - rows : 9 - rows, 1 - columns : 9 - columns]


# Layers


def normalize(x: keras.KerasTensor) -> keras.KerasTensor:
    """Normalize a batch; momentum 0 makes one pass in training mode settle the statistics."""
    return layers.BatchNormalization(
        momentum=0.0,
        beta_initializer=keras.initializers.RandomNormal(0, 0.3),
        gamma_initializer=keras.initializers.RandomUniform(0.6, 1.4),
    )(x)


def conv(
    x: keras.KerasTensor, filters: int, size: int | tuple[int, int], stride: int = 1
) -> keras.KerasTensor:
    """Convolve and normalize, without an activation."""
    make = layers.Conv2D(
        filters, size, stride, "same", use_bias=False, kernel_initializer="he_normal"
    )
    return normalize(make(x))


def conv_relu(
    x: keras.KerasTensor, filters: int, size: int | tuple[int, int], stride: int = 1
) -> keras.KerasTensor:
    """Convolve, normalize and rectify."""
    return layers.ReLU()(conv(x, filters, size, stride))


def separable(x: keras.KerasTensor, filters: int, stride: int = 1) -> keras.KerasTensor:
    """Filter each channel 3x3, then mix the channels 1x1."""
    make = layers.DepthwiseConv2D(
        3, stride, "same", use_bias=False, depthwise_initializer="he_normal"
    )
    return conv_relu(layers.ReLU()(normalize(make(x))), filters, 1)


def dense(x: keras.KerasTensor, units: int) -> keras.KerasTensor:
    """Join every input with every unit; biases are not 0, or the converter would drop them."""
    return layers.Dense(units, bias_initializer=keras.initializers.RandomNormal(0, 0.3))(x)


def classify(x: keras.KerasTensor, classes: int) -> keras.KerasTensor:
    """Average over the whole image, then one dense layer with softmax."""
    pooled = layers.AveragePooling2D(tuple(x.shape[1:3]))(x)
    return layers.Softmax()(dense(layers.Flatten()(pooled), classes))


# Trained models


def digits_cnn() -> keras.Model:
    """Lay out the digit classifier: 8x8 images to ten probabilities, about 4700 weights."""
    source = keras.Input((8, 8, 1))
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(source)
    x = layers.DepthwiseConv2D(3, padding="same", activation="relu")(x)
    x = layers.Conv2D(32, 1, activation="relu")(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.DepthwiseConv2D(3, padding="same", activation="relu")(x)
    x = layers.Conv2D(48, 1, activation="relu")(x)
    x = layers.AveragePooling2D(2)(x)
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    return keras.Model(source, layers.Dense(10, activation="softmax")(x))


def sine_regressor() -> keras.Model:
    """Lay out the sine regressor: an angle to a value, through two hidden layers of 16."""
    source = keras.Input((1,))
    # Without a spread of biases every bend lies at angle 0, and half of the units never wake.
    spread = keras.initializers.RandomUniform(-2, 2)
    x = layers.Dense(16, activation="relu", bias_initializer=spread)(source)
    x = layers.Dense(16, activation="relu")(x)
    return keras.Model(source, layers.Dense(1)(x))


def start_anew() -> None:
    """Forget the models made so far: layer names and random numbers start from the beginning."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(SEED)


def train(model: keras.Model, x: Floats, y: NDArray, loss: str, epochs: int) -> None:
    """Train for a fixed number of epochs while the learning rate falls to zero."""
    batch = 64
    steps = epochs * math.ceil(len(x) / batch)
    rate = keras.optimizers.schedules.CosineDecay(0.004, steps)
    model.compile(keras.optimizers.Adam(rate), loss)
    model.fit(x, y, batch, epochs, verbose=0)


def trained_digits(data: Digits) -> keras.Model:
    """Train the classifier on the training images and on copies moved by one pixel."""
    moves = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))
    images = np.concatenate([shifted(data.train_images, *move) for move in moves])
    labels = np.tile(data.train_labels, len(moves))
    start_anew()
    model = digits_cnn()
    train(model, images, labels, "sparse_categorical_crossentropy", DIGIT_EPOCHS)
    return model


def trained_sine() -> keras.Model:
    """Train the sine regressor."""
    start_anew()
    model = sine_regressor()
    train(model, *sine_data(2000), "mse", SINE_EPOCHS)
    return model


# Untrained models in the four shapes of MLPerf Tiny


def kws_ds_cnn() -> keras.Model:
    """Lay out keyword spotting: 49 frames of 10 coefficients, depthwise-separable CNN."""
    source = keras.Input((49, 10, 1))
    x = conv_relu(source, 64, (10, 4), 2)
    for _ in range(4):
        x = separable(x, 64)
    return keras.Model(source, classify(x, 12))


def vww_mobilenet_v1() -> keras.Model:
    """Lay out visual wake words: 96x96 colour images, MobileNetV1 of width 0.25."""
    source = keras.Input((96, 96, 3))
    x = conv_relu(source, 8, 3, 2)
    blocks = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2))
    for filters, stride in (*blocks, *[(128, 1)] * 5, (256, 2), (256, 1)):
        x = separable(x, filters, stride)
    return keras.Model(source, classify(x, 2))


def ic_resnet8() -> keras.Model:
    """Lay out image classification: 32x32 colour images, three residual blocks."""
    source = keras.Input((32, 32, 3))
    x = conv_relu(source, 16, 3)
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        inner = conv(conv_relu(x, filters, 3, stride), filters, 3)
        shortcut = conv(x, filters, 1, stride) if stride > 1 else x
        x = layers.ReLU()(layers.Add()([shortcut, inner]))
    return keras.Model(source, classify(x, 10))


def ad_autoencoder() -> keras.Model:
    """Lay out anomaly detection: 640 features through a bottleneck of 8 and back."""
    source = keras.Input((640,))
    x = source
    for units in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = normalize(layers.Dense(units, use_bias=False, kernel_initializer="he_normal")(x))
        x = layers.ReLU()(x)
    return keras.Model(source, dense(x, 640))


def features(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray:
    """Draw noise as strong as the spectra in decibels that such models hear."""
    return rng.normal(0, 20, shape)


def patchwork(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray:
    """Draw images [count, height, width, channels] of 0..255: plain squares of 8x8 pixels."""
    count, height, width, channels = shape
    squares = rng.integers(0, 256, (count, height // 8, width // 8, channels))
    return squares.repeat(8, axis=1).repeat(8, axis=2)


def unit_patchwork(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray:
    """Draw the same images with values 0..1."""
    return patchwork(rng, shape) / 255


SHAPES: dict[Callable[[], keras.Model], Callable[..., NDArray]] = {
    kws_ds_cnn: features,
    vww_mobilenet_v1: unit_patchwork,
    ic_resnet8: patchwork,
    ad_autoencoder: features,
}


# TensorFlow Lite


def macs(model: keras.Model) -> int:
    """Count multiply-accumulates of one inference, those on padding included."""
    return sum(
        math.prod(layer.output.shape[1:-1]) * math.prod(layer.kernel.shape)
        for layer in model.layers
        if hasattr(layer, "kernel")
    )


def converter(model: keras.Model) -> tf.lite.TFLiteConverter:
    """Fix the model to one sample at a time, so that the file knows every shape."""
    source = keras.Input(batch_shape=(1, *model.input_shape[1:]), name="input")
    fixed = keras.models.clone_model(model, input_tensors=source)
    fixed.set_weights(model.get_weights())
    return tf.lite.TFLiteConverter.from_keras_model(fixed)


def to_int8(model: keras.Model, samples: Floats) -> bytes:
    """Convert with int8 weights, activations, input and output, calibrated on the samples."""
    convert = converter(model)
    convert.optimizations = [tf.lite.Optimize.DEFAULT]
    convert.representative_dataset = lambda: ([sample[np.newaxis]] for sample in samples)
    convert.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    convert.inference_input_type = tf.int8
    convert.inference_output_type = tf.int8
    # One scale for the whole weight matrix: older kernels know no other FULLY_CONNECTED.
    convert._experimental_disable_per_channel_quantization_for_dense_layers = True
    return convert.convert()


def run(path: Path, samples: Floats) -> Floats:
    """Run samples one by one with LiteRT's reference kernels; real values in and out."""
    interpreter = Interpreter(
        str(path), experimental_op_resolver_type=OpResolverType.BUILTIN_REF, num_threads=1
    )
    interpreter.allocate_tensors()
    source, output = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    results = []
    for sample in samples:
        interpreter.set_tensor(source["index"], quantized(sample[np.newaxis], source))
        interpreter.invoke()
        results.append(dequantized(interpreter.get_tensor(output["index"])[0], output))
    return np.stack(results)


def quantized(values: Floats, tensor: dict) -> NDArray:
    """Turn real values into those that the tensor takes."""
    if tensor["dtype"] is np.float32:
        return values
    scale, zero_point = tensor["quantization"]
    return (np.rint(values / scale) + zero_point).clip(-128, 127).astype(np.int8)


def dequantized(values: NDArray, tensor: dict) -> Floats:
    """Turn values of the tensor into real ones."""
    if tensor["dtype"] is np.float32:
        return values
    scale, zero_point = tensor["quantization"]
    return (scale * (values.astype(np.float32) - zero_point)).astype(np.float32)


# Files


def make_digits(folder: Path) -> list[Row]:
    """Write the digit classifier in int8 and in float, and the held-out images."""
    data = digits_data()
    model = trained_digits(data)
    paths = folder / "digits.tflite", folder / "digits_float.tflite"
    paths[0].write_bytes(to_int8(model, data.train_images))
    paths[1].write_bytes(converter(model).convert())
    np.savez(folder / "digits_samples.npz", input_0=data.test_images)
    np.save(folder / "digits_labels.npy", data.test_labels)
    (folder / "digits.txt").write_text("\n".join(DIGIT_NAMES) + "\n")
    seven = data.test_images[np.flatnonzero(data.test_labels == 7)[0]]
    pixels = np.rint(seven * 255).astype(np.uint8)
    (folder / "digit_7.png").write_bytes(tf.io.encode_png(pixels).numpy())
    rows = []
    for path in paths:
        right = run(path, data.test_images).argmax(axis=1) == data.test_labels
        rows.append(Row(path, macs(model), f"{right.sum()} of {right.size}, {right.mean():.1%}"))
    return rows


def make_sine(folder: Path) -> list[Row]:
    """Write the sine regressor, 100 evenly spaced angles and their true sines."""
    model = trained_sine()
    path = folder / "sine.tflite"
    path.write_bytes(to_int8(model, sine_data(500)[0]))
    angles = np.linspace(0, 2 * np.pi, 100, dtype=np.float32)[:, np.newaxis]
    expected = np.sin(angles)
    np.savez(folder / "sine_samples.npz", input_0=angles)
    np.save(folder / "sine_expected.npy", expected)
    named = {"float": model.predict(angles, verbose=0), "int8": run(path, angles)}
    errors = {name: np.abs(values - expected) for name, values in named.items()}
    quality = "; ".join(f"{k}: mean {e.mean():.4f}, max {e.max():.4f}" for k, e in errors.items())
    return [Row(path, macs(model), quality)]


def make_shapes(folder: Path) -> list[Row]:
    """Write the untrained models; a pass over random samples settles their activations."""
    folder.mkdir(exist_ok=True)
    rows = []
    for build, draw in SHAPES.items():
        start_anew()
        model = build()
        shape = (UNTRAINED_SAMPLES, *model.input_shape[1:])
        samples = draw(np.random.default_rng(SEED), shape).astype(np.float32)
        model(samples, training=True)
        path = folder / f"{build.__name__}.tflite"
        path.write_bytes(to_int8(model, samples))
        error = np.abs(run(path, samples) - model.predict(samples, verbose=0))
        rows.append(Row(path, macs(model), f"untrained; int8 off float by {error.mean():.4f}"))
    return rows


def main(folder: Path) -> None:
    """Make everything and print one line for each model."""
    tf.config.experimental.enable_op_determinism()
    tf.config.threading.set_intra_op_parallelism_threads(1)  # sums in the same order everywhere
    tf.config.threading.set_inter_op_parallelism_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.redirect_stdout(sys.stderr):  # the converter is talkative
        rows = [*make_digits(folder), *make_sine(folder), *make_shapes(folder / "shapes")]
    for row in rows:
        name, size = row.path.relative_to(folder), row.path.stat().st_size
        print(f"{name}: {size:,} bytes, {row.macs:,} MACs, {row.quality}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
