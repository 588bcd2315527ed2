package endpoint

// maxLearned bounds the services whose endpoints are known. One that is not known has
// an endpoint of its own until the next answer.
const maxLearned = 10_000

// Learn records which endpoint renews the grants of a service.
func (l *Limiter) Learn(serviceID string, key Key) {
	l.learned.Put(serviceID, key)
}

// Forget drops what Learn recorded, when the service was edited or deleted.
func (l *Limiter) Forget(serviceID string) {
	l.learned.Delete(serviceID)
}

// KeyFor is the key of the endpoint that renews a service's grants: the one that
// was learned, or one of the service's own.
func (l *Limiter) KeyFor(serviceID string) Key {
	if key, ok := l.learned.Get(serviceID); ok {
		return key
	}
	return unlearned(serviceID)
}
