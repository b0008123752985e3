package config

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
)

// minKeyBits is the least that RS256 allows. https://www.rfc-editor.org/rfc/rfc7518#section-3.3
const minKeyBits = 2048

const keyRemedy = "make one with: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out server.key"

// checkPrivateKey accepts PEM text whose first block that is a private key is
// an RSA one, and says of everything else what it is.
func checkPrivateKey(value string) *problem {
	rest := []byte(value)
	seen := ""
	for {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			return notPEM(seen)
		}
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return checkKeyBlock(block)
		}
		seen = block.Type
	}
}

// notPEM explains a text without a private key, by the last block that it has.
func notPEM(blockType string) *problem {
	switch {
	case strings.HasSuffix(blockType, "CERTIFICATE"), strings.HasSuffix(blockType, "PUBLIC KEY"):
		return problemf("holds a certificate or a public key, not the private key").do("name the private key that belongs to it")
	default:
		return problemf("is not a private key in PEM form").do("it must begin with -----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----")
	}
}

func checkKeyBlock(block *pem.Block) *problem {
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
		return problemf("is encrypted with a passphrase").do("decrypt it with: openssl pkey -in ENCRYPTED -out PLAIN")
	case block.Type == "OPENSSH PRIVATE KEY":
		return problemf("is an OpenSSH key, not a PKCS#1 or PKCS#8 one").do("convert it with: ssh-keygen -p -m PEM -f KEY")
	case block.Type == "EC PRIVATE KEY":
		return problemf("is an elliptic curve key, but Salesforce wants RSA").do("%s", keyRemedy)
	}
	key, p := rsaKey(block)
	if p != nil {
		return p
	}
	if key.N.BitLen() < minKeyBits {
		return problemf("has %d bits, which is too short", key.N.BitLen()).do("%s", keyRemedy)
	}
	return nil
}

func rsaKey(block *pem.Block) (*rsa.PrivateKey, *problem) {
	damaged := problemf("is damaged: what it holds is not a private key").do("copy it again, whole and unchanged")
	if block.Type == "RSA PRIVATE KEY" {
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			return nil, damaged
		}
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, damaged
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, problemf("is not an RSA key, but Salesforce wants RSA").do("%s", keyRemedy)
	}
	return key, nil
}
