package peopledb

// Schema are the rows of this package, one of each, to be compared with the migrations.
func Schema() []any {
	return []any{&userRow{}, &invitationRow{}, &userSessionRow{}, &sessionRow{}, &passkeyRow{}, &contactRow{}, &connectionOwnerRow{}, &tryBudgetRow{}, &apiKeyRow{}, &apiKeyConnectionRow{}, &apiKeyTagRow{}}
}
