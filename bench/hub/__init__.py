"""What a generated hub holds: code, configurations, tokenizers, weights and cards of models that nobody has published."""
