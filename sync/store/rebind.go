package store

// Rebind turns the `?` of a statement into the database's own placeholders, for
// those who bring statements of their own to a transaction of Tx.
func (s *Store) Rebind(query string) string { return s.dialect.rebind(query) }
