package noticedb

// Schema are the rows of this package, one of each, to be compared with the migrations.
func Schema() []any {
	return []any{&channelRow{}, &DeliveryRow{}, &personToldRow{}, &escalationRow{}, &incidentRow{}, &policyRow{}, &templateRow{}, &serviceRequestRow{}}
}
