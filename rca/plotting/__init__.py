"""Pictures of results: everything here reads a result's fields and computes nothing."""
