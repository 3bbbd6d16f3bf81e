// Everything a user of the library needs, under one import.

@_exported import Arrays
@_exported import Datasets
@_exported import Graph
@_exported import Interchange
@_exported import Lab
@_exported import Layers
@_exported import Models
@_exported import Normalization
@_exported import Runtime
@_exported import Training
