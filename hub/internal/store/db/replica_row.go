package db

// ReplicaRow is a row of replicas.
type ReplicaRow struct {
	ID          string `gorm:"primaryKey"`
	Epoch       int64  `gorm:"primaryKey;autoIncrement:false"`
	Owner       string
	Name        string
	Place       string
	Version     string
	StartedAt   int64
	HeartbeatAt int64
	Beat        int64
	FencedAt    int64
	LeftAt      int64
}

// TableName pins the table.
func (ReplicaRow) TableName() string { return "replicas" }

// NoteBeat keeps a sign of life that the database has confirmed.
func (s *DB) NoteBeat(owner string, beat int64) { s.beats.Store(owner, beat) }

// BeatOf is the last sign of life of an owner that the database has confirmed to this store.
func (s *DB) BeatOf(owner string) int64 {
	beat, _ := s.beats.Load(owner)
	n, _ := beat.(int64)
	return n
}
