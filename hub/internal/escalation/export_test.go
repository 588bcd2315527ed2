package escalation

// The rules of the planner, for their tests.
var (
	ToExpedite   = toExpedite
	AllAbandoned = allAbandoned
	FailureOf    = failureOf
	Continued    = continued
	Terms        = terms
	NotifiedOf   = notified
)
