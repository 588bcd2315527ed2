//go:build race

package scheduler_test

func init() { slowdown = 8 }
