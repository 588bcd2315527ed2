package pluginhost

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// maxHandshake bounds a plugin's first line, in bytes.
const maxHandshake = 4 << 10

// maxSocketPath is what the kernel takes for the path of a unix socket, in bytes.
const maxSocketPath = 107

// readHandshake reads the first line of a plugin and checks it. io.EOF means
// that the plugin ended without one; other errors are defects.
func readHandshake(stdout *bufio.Reader) (string, error) {
	first, err := stdout.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", defectf("its first line is longer than %d bytes: %s", maxHandshake, quoteStart(first))
	case err != nil && len(bytes.TrimSpace(first)) == 0:
		return "", io.EOF
	case err != nil:
		return "", defectf("its first line has no end: %s", quoteStart(first))
	}
	handshake := strings.TrimRight(string(first), "\r\n")
	return handshake, checkHandshake(handshake)
}

// checkHandshake checks the line of go-plugin's protocol:
//
//	core version | protocol version | network | address | protocol | certificate [| multiplexing]
//
// The address itself is checked before it is dialled, by checkSocket.
func checkHandshake(handshake string) error {
	fields := strings.Split(handshake, "|")
	if len(fields) != 6 && len(fields) != 7 {
		return defectf("its first line is not the handshake of a plugin; print nothing else on standard output: %s", quoteStart([]byte(handshake)))
	}
	if fields[0] != "1" {
		return defectf("it speaks version %s of go-plugin's own protocol, this hub speaks 1", quoteStart([]byte(fields[0])))
	}
	known := slices.Sorted(maps.Keys(providerplugin.Plugins()))
	if version, err := strconv.Atoi(fields[1]); err != nil || !slices.Contains(known, version) {
		return defectf("it speaks version %s of the provider protocol, this hub speaks %v", quoteStart([]byte(fields[1])), known)
	}
	if fields[4] != "grpc" {
		return defectf("it serves %s, this hub speaks grpc", quoteStart([]byte(fields[4])))
	}
	der, err := base64.RawStdEncoding.DecodeString(fields[5])
	if err != nil || len(der) == 0 {
		return defectf("its handshake has no certificate: it must serve mutual TLS with the certificate in PLUGIN_CLIENT_CERT")
	}
	if _, err := x509.ParseCertificate(der); err != nil {
		return defectf("the certificate in its handshake cannot be read: %v", err)
	}
	return nil
}

// checkSocket allows the address of a plugin only if it is a unix socket in the
// plugin's own folder.
func checkSocket(dir, seen, network, address string) (path string, err error) {
	if network != "unix" {
		return "", defectf("it listens on %s, only a unix socket is allowed", quoteStart([]byte(network)))
	}
	if filepath.Dir(address) != dir || filepath.Clean(address) != address {
		return "", defectf("its socket is not in the folder that it was given (PLUGIN_UNIX_SOCKET_DIR): %s", quoteStart([]byte(address)))
	}
	path = filepath.Join(seen, filepath.Base(address))
	info, err := os.Lstat(path)
	if err != nil {
		return "", defectf("its socket cannot be found: %s", quoteStart([]byte(address)))
	}
	if info.Mode().Type() != os.ModeSocket {
		return "", defectf("the address in its handshake is not a socket: %s", quoteStart([]byte(address)))
	}
	return path, nil
}

// quoteStart shows what a plugin wrote: its first 80 bytes, escaped.
func quoteStart(b []byte) string {
	more := ""
	if len(b) > 80 {
		b, more = b[:80], "…"
	}
	return strconv.QuoteToASCII(redact(string(b))) + more
}
