package authdb

// Schema are the rows of this package, one of each, to be compared with the migrations.
func Schema() []any { return []any{&authorizationRow{}, &offerRow{}, &GrantLinkRow{}, &deviceRow{}} }
