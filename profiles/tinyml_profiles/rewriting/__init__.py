"""The same graph in another form, to be planned and priced: never to be run."""
