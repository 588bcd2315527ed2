package act

// ruleError is a rule of an act that says no.
type ruleError struct{ text string }

// Rule returns an error of its own for a rule that says no: acts that return it are
// recorded as refused.
func Rule(text string) error { return &ruleError{text} }

// Error implements error.
func (e *ruleError) Error() string { return e.text }

// Refusal implements RefusalError.
func (e *ruleError) Refusal() bool { return true }
