"""Journey maps as people see them: a wall poster, a page, a table."""
