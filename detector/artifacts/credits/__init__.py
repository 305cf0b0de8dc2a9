"""In which words, and with which marks, a project says where it comes from."""
