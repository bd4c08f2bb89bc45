// Certificates: X509_new(3ssl), X509V3_EXT_conf_nid(3ssl), PEM_write_bio_X509(3ssl).
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
// Keys and codes: EVP_PKEY_derive(3ssl), EVP_DigestSign(3ssl), EVP_PKEY-HKDF(7ssl), HMAC(3ssl), OPENSSL_cleanse(3ssl).
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
