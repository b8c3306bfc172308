"""The report: answers become one page that opens without a network and prints. See docs/reference/report.md."""
