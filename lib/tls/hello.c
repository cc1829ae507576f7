/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What both sides say before anything is encrypted. An observer is no stricter than the laxest
 * endpoint: lengths that leave the message are an error, all else that is odd is passed over,
 * since the connection may go on all the same.
 */
#include "tls/hello.h"

/* The random of a HelloRetryRequest: SHA-256 of that word (RFC 8446, section 4.1.3). */
static const uint8_t retry_random[32] = { 0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe,
	0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
	0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c };

/* A list that does not fit its extension counts as absent. */
static struct rd list8(struct rd body)
{
	struct rd list;

	return rd_vec8(&body, &list) == V_OK ? list : rd_init(NULL, 0);
}

static struct rd list16(struct rd body)
{
	struct rd list;

	return rd_vec16(&body, &list) == V_OK ? list : rd_init(NULL, 0);
}

/* ServerNameList (RFC 6066, section 3): the first host_name. */
static struct rd host_name(struct rd body)
{
	struct rd list = list16(body), name;
	uint8_t type;

	while (rd_u8(&list, &type) == V_OK && rd_vec16(&list, &name) == V_OK)
		if (type == 0)
			return name;
	return rd_init(NULL, 0);
}

static void client_extension(struct client_hello *h, uint16_t type, struct rd body)
{
	switch (type) {
	case EXT_SERVER_NAME:
		h->has_server_name = true;
		h->server_name = host_name(body);
		break;
	case EXT_SUPPORTED_GROUPS:
		h->groups = list16(body);
		break;
	case EXT_EC_POINT_FORMATS:
		h->point_formats = list8(body);
		break;
	case EXT_SIGNATURE_ALGORITHMS:
		h->signature_algorithms = list16(body);
		break;
	case EXT_ALPN:
		h->alpn = list16(body);
		break;
	case EXT_ENCRYPT_THEN_MAC:
		h->etm = true;
		break;
	case EXT_EXTENDED_MASTER_SECRET:
		h->ems = true;
		break;
	case EXT_SESSION_TICKET:
		h->has_ticket = true;
		h->ticket = body;
		break;
	case EXT_PRE_SHARED_KEY:
		h->psk = true;
		break;
	case EXT_EARLY_DATA:
		h->early_data = true;
		break;
	case EXT_SUPPORTED_VERSIONS:
		h->versions = list8(body);
		break;
	}
}

static void server_extension(struct server_hello *h, uint16_t type, struct rd body)
{
	struct rd list;

	switch (type) {
	case EXT_ALPN:
		list = list16(body);
		h->alpn = list8(list);
		break;
	case EXT_ENCRYPT_THEN_MAC:
		h->etm = true;
		break;
	case EXT_EXTENDED_MASTER_SECRET:
		h->ems = true;
		break;
	case EXT_SESSION_TICKET:
		h->ticket = true;
		break;
	case EXT_PRE_SHARED_KEY:
		h->psk = true;
		break;
	case EXT_SUPPORTED_VERSIONS:
		(void)rd_u16(&body, &h->version);
		break;
	}
}

/* Nothing after the fixed part is a hello without extensions (SSL 3.0). */
static enum verdict extensions(struct rd *r, struct rd *out)
{
	*out = rd_init(NULL, 0);
	return rd_left(r) ? rd_vec16(r, out) : V_OK;
}

static enum verdict session_id(struct rd *r, struct rd *out)
{
	TRY(rd_vec8(r, out));
	return rd_left(out) <= 32 ? V_OK : V_TLS_HANDSHAKE;
}

static enum verdict client(struct rd r, struct client_hello *h)
{
	struct rd list, body;
	uint16_t type;

	TRY(rd_u16(&r, &h->legacy_version));
	TRY(rd_bytes(&r, 32, &h->random));
	TRY(session_id(&r, &h->session_id));
	TRY(rd_vec16(&r, &h->suites));
	TRY(rd_vec8(&r, &h->compression));
	h->has_extensions = rd_left(&r) != 0;
	TRY(extensions(&r, &h->extensions));
	for (list = h->extensions; rd_left(&list);) {
		TRY(hello_extension(&list, &type, &body));
		client_extension(h, type, body);
	}
	return V_OK;
}

static enum verdict server(struct rd r, struct server_hello *h)
{
	struct rd list, body;
	uint16_t type;

	TRY(rd_u16(&r, &h->legacy_version));
	TRY(rd_bytes(&r, 32, &h->random));
	h->version = h->legacy_version;
	h->retry = !memcmp(h->random, retry_random, sizeof(retry_random));
	/* TLS 1.3 drafts before 22 name themselves here, and leave two fields out. */
	if (h->version >> 8 != 0x7f)
		TRY(session_id(&r, &h->session_id));
	TRY(rd_u16(&r, &h->suite));
	if (h->version >> 8 != 0x7f)
		TRY(rd_u8(&r, &h->compression));
	TRY(extensions(&r, &h->extensions));
	for (list = h->extensions; rd_left(&list);) {
		TRY(hello_extension(&list, &type, &body));
		server_extension(h, type, body);
	}
	return V_OK;
}

enum verdict hello_client(struct rd body, struct client_hello *out)
{
	*out = (struct client_hello){ 0 };
	return client(body, out) == V_OK ? V_OK : V_TLS_HANDSHAKE;
}

enum verdict hello_server(struct rd body, struct server_hello *out)
{
	*out = (struct server_hello){ 0 };
	return server(body, out) == V_OK ? V_OK : V_TLS_HANDSHAKE;
}
