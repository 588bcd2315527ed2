package endpoint

// maxLearned bounds the services whose endpoints are known. One that is not known has
// an endpoint of its own until the next answer.
const maxLearned = 10_000

// Learn tells which endpoint renews the grants of a service.
func (g *Gate) Learn(serviceID string, key Key) {
	g.learned.Put(serviceID, key)
}

// Forget drops what Learn told, when the service was edited or deleted.
func (g *Gate) Forget(serviceID string) {
	g.learned.Delete(serviceID)
}

// KeyFor is the key of the endpoint that renews a service's grants: the one that
// was learned, or one of the service's own.
func (g *Gate) KeyFor(serviceID string) Key {
	if key, ok := g.learned.Get(serviceID); ok {
		return key
	}
	return unlearned(serviceID)
}
