package mainpanic

import "testing"

func TestMain(m *testing.M) {
	connect()
	m.Run()
}

func connect() { panic("no database") }

func TestFine(t *testing.T) {}
