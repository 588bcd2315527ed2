package e2e_test

import (
	"testing"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

func TestMain(m *testing.M) { hubtest.Main(m) }
