"""What a model's work costs on a target. There is nothing here yet."""
