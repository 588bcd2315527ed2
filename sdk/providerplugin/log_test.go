package providerplugin

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"google.golang.org/grpc/metadata"

	"github.com/evergrant/evergrant/sdk/provider"
)

func TestLinesOfAnOperationAreHclogsAndNameItsRequest(t *testing.T) {
	var out bytes.Buffer
	ctx := metadata.NewIncomingContext(context.Background(), metadata.Pairs(RequestIDKey, "3f2a"))
	provider.Logger(logging(ctx, newLogger(&out))).Error("it broke", "status", 500)
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line["@level"] != "error" || line["@message"] != "it broke" || line["request_id"] != "3f2a" || line["status"] != 500.0 || line["@timestamp"] == nil {
		t.Errorf("%s", out.String())
	}
	out.Reset()
	provider.Logger(logging(context.Background(), newLogger(&out))).Info("no host")
	if bytes.Contains(out.Bytes(), []byte("request_id")) {
		t.Errorf("a request was made up: %s", out.String())
	}
	if provider.Logger(context.Background()) == nil {
		t.Error("there is no logger outside an operation")
	}
}
