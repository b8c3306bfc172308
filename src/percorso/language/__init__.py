"""What people read, in their language: texts, names of codes, numbers, dates. English and Italian."""
