"""The console's own database: users and attempts. SQLite by default, PostgreSQL by URL; no lab's data is in it."""
