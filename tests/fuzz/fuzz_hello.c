/* SPDX-License-Identifier: BSD-3-Clause */
/* Hellos of both sides from any bytes, and the fingerprints of what can be read. */
#include <assert.h>
#include <stdint.h>

#include "tls/hello.h"
#include "tls/ja3.h"
#include "tls/ja4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct client_hello client;
	struct server_hello server;
	char text[2048], hash[JA3_HASH_SIZE], ja4[JA4_SIZE];
	struct wr w = wr_init(text, sizeof(text));

	if (hello_client(rd_init(data, size), &client) == V_OK) {
		ja3_client(&client, &w);
		ja4_client(&client, ja4);
		assert(ja4[0] == '\0' || strlen(ja4) == 36);
	}
	if (hello_server(rd_init(data, size), &server) == V_OK)
		ja3_server(&server, &w);
	ja3_hash(text, wr_len(&w, text), hash);
	assert(strlen(hash) == 32);
	return 0;
}
