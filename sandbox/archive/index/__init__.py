"""The archive's index: what is stored, as rows. SQL is written here and in sandbox.archive.query, nowhere else."""
