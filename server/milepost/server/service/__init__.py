"""What does each call do, whoever makes it and whatever it comes through?"""
