//go:build !race

package rules_test

// raced is whether the race detector makes every pattern slow.
const raced = false
