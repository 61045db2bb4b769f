"""Models of a few hundred kilobytes with random weights, one a family: the fixtures of the tests."""
