package plugindb

// Schema are the rows of this package, one of each, to be compared with the migrations.
func Schema() []any {
	return []any{&packageRow{}, &pieceRow{}, &pluginRow{}, &slotRow{}, &pluginKeyRow{}, &nameRow{}, &definitionRow{}, &definitionSlotRow{}}
}
