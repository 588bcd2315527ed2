package newest

// SetLimit bounds the bytes of the entries; before the first Put.
func (k *Keeper) SetLimit(bytes int64) { k.limit = bytes }
