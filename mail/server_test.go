package mail

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// missing skips the test for want of a program, or fails where all are required.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("BLOCKHOSTS_REQUIRE") == "all" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// A smtpServer is a running testdata/smtpd.py.
type smtpServer struct {
	port int
	out  *bufio.Scanner
}

// A delivered message, as the server tells it.
type delivered struct {
	From, Helo, User string
	To               []string
	Text             []byte
	TLS              bool
}

func startServer(t *testing.T, args ...string) *smtpServer {
	t.Helper()
	cmd := exec.Command(pythonWithServer(t), append([]string{"testdata/smtpd.py"}, args...)...)
	var words bytes.Buffer
	cmd.Stderr = &words
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the mail server said %s", words.Bytes())
		}
	})
	s := &smtpServer{out: bufio.NewScanner(out)}
	s.out.Buffer(nil, 16<<20)
	if !s.out.Scan() {
		t.Fatal("the mail server ended at once")
	}
	if s.port, err = strconv.Atoi(s.out.Text()); err != nil {
		t.Fatal(err)
	}
	return s
}

func pythonWithServer(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(name, "-c", "import aiosmtpd").Run() == nil {
			return name
		}
	}
	missing(t, "no mail server to test with: install python3-aiosmtpd")
	return ""
}

// next returns the next message that the server took.
func (s *smtpServer) next(t *testing.T) delivered {
	t.Helper()
	var d delivered
	if !s.out.Scan() {
		t.Fatal("the server took no message")
	}
	if err := json.Unmarshal(s.out.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// certificate writes one for localhost and 127.0.0.1, and returns who trusts it.
func certificate(t *testing.T) (pool *x509.CertPool, args []string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.example.org"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(4e9, 0),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert, _ := x509.ParseCertificate(der)
	pool = x509.NewCertPool()
	pool.AddCert(cert)
	certFile := writePEM(t, "CERTIFICATE", der)
	keyFile := writePEM(t, "PRIVATE KEY", private)
	return pool, []string{"--cert", certFile, "--key", keyFile}
}

func writePEM(t *testing.T, kind string, der []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), strings.ReplaceAll(kind, " ", "-")+".pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
