"""What histories say: of two what they have in common, of one what it renamed, removed and left."""
