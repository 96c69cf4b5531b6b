"""What every parameter of a model gets, as data: plans, and the ledgers that follow from them."""
