/* SPDX-License-Identifier: BSD-3-Clause */
/* Any file: every packet handed out lies in the buffer, and the reader comes to an end. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint32_t sum;

static void read_secrets(void *arg, const char *text, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		sum += (uint8_t)text[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC), n;
	struct capture *c;
	struct pkt pkts[8];
	char path[32];

	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (capture_open(&c, path, read_secrets, NULL) == 0) {
		while ((n = capture_burst(c, pkts, 8)) > 0) {
			for (int i = 0; i < n; i++) {
				assert(pkts[i].len <= pkts[i].wire_len);
				for (uint32_t k = 0; k < pkts[i].len; k++)
					sum += pkts[i].data[k];
			}
		}
		capture_close(c);
	}
	close(fd);
	return 0;
}
