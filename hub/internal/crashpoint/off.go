//go:build !crashpoints

package crashpoint

// At marks that a step is reached. It does nothing.
func At(string) {}
