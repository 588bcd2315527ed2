package access

// ruleError is a rule that says no, rather than a fault.
type ruleError struct{ text string }

// rule returns an error of its own for a rule.
func rule(text string) error { return &ruleError{text} }

// Error implements error.
func (e *ruleError) Error() string { return e.text }

// Refusal marks it for the audit record.
func (e *ruleError) Refusal() bool { return true }
