package grantdb

// Schema are the rows of this package, one of each, to be compared with the migrations.
func Schema() []any {
	return []any{&ConnectionRow{}, &eventRow{}, &TokenHistoryRow{}, &TagRow{}, &accountRow{}, &revocationRow{}, &importedRow{}}
}
