package endpoint

// Learn tells which endpoint renews the grants of a service.
func (g *Gate) Learn(serviceID string, key Key) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.learned[serviceID] = key
}

// Forget drops what Learn told, when the service was edited or deleted.
func (g *Gate) Forget(serviceID string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.learned, serviceID)
}

// KeyFor is the key of the endpoint that renews a service's grants: the one that
// was learned, or one of the service's own.
func (g *Gate) KeyFor(serviceID string) Key {
	g.mu.Lock()
	defer g.mu.Unlock()
	if key, ok := g.learned[serviceID]; ok {
		return key
	}
	return unlearned(serviceID)
}
