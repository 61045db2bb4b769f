"""A tiny LLaVA that really sees: data, tokenizer, model, training, evaluation and card. `train_tiny_llava.py` calls them in that order."""
