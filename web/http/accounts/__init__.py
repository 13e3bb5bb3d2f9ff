"""The JSON endpoints of accounts, under `/api`: a file for each subject."""
