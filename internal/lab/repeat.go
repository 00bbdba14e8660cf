package lab

import (
	"os"
	"strconv"
	"testing"
)

// Repeat is how often a test does something random: usual, or what the variable of
// the environment says, which a longer run is asked for with.
func Repeat(t testing.TB, variable string, usual uint64) uint64 {
	t.Helper()
	s := os.Getenv(variable)
	if s == "" {
		return usual
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}
