package store

import "os"

type Store struct{ path string }

func (s *Store) Save(b []byte) error {
	f, err := os.Create(s.path)
	if err != nil {
		return err
	}
	defer f.Close()
	f.Write(b)
	return nil
}
