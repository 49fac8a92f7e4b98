"""The whole system from outside: real servers, a real database and a real browser."""
