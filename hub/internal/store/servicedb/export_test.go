package servicedb

// ShrinkCache empties the cache and bounds it anew.
func ShrinkCache(s *Rows, most int) { s.serviceCache = newServiceCache(most) }

// Cached counts what the cache holds.
func Cached(s *Rows) int { return s.serviceCache.byID.Len() }
