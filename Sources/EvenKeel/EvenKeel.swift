// EvenKeel
