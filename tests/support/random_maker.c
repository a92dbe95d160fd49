// SPDX-License-Identifier: Apache-2.0
#include "random_maker.h"

#include <stdio.h>

int64_t random_draw(random_maker *m, int64_t n) {
    uint64_t z = m->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (int64_t)((z ^ (z >> 31)) % (uint64_t)n);
}

double random_fraction(random_maker *m) {
    return (double)random_draw(m, 1 << 20) / (1 << 20);
}

evn_shape random_shape_of(const random_maker *m, evn_value value) {
    return evn_value_shape(m->graph, value);
}

int64_t random_count_of(const random_maker *m, evn_value value) {
    return evn_shape_count(random_shape_of(m, value));
}

// Candidates --------------------------------------------------------------------------------------

bool random_offer(random_maker *m, evn_value value, double bound, bool exact) {
    if (value == EVN_NONE || m->count == RANDOM_VALUES || random_count_of(m, value) > m->elements) {
        return false;
    }
    if (bound > RANDOM_LARGEST_BOUND) {
        value = evn_scale(m->graph, value, 2 / bound);
        bound = 2;
        exact = false;
    }
    m->known[m->count++] = (random_candidate){value, bound, exact, false};
    return true;
}

random_candidate random_new_input(random_maker *m, evn_shape shape) {
    char name[16];
    snprintf(name, sizeof(name), "x%d", m->inputs++);
    random_candidate input = {evn_input(m->graph, name, shape), 1, true, true};
    if (m->count < RANDOM_VALUES) {
        m->known[m->count++] = input;
    }
    return input;
}

random_candidate random_pick(random_maker *m) {
    int span = random_draw(m, 3) ? (m->count < 6 ? m->count : 6) : m->count;
    random_candidate *c = &m->known[m->count - 1 - random_draw(m, span)];
    c->read = true;
    return *c;
}

random_candidate random_pick_like(random_maker *m, evn_shape shape) {
    for (int tries = 0; tries < 12; ++tries) {
        random_candidate c = random_pick(m);
        evn_shape own = random_shape_of(m, c.value);
        bool fits = own.rank <= shape.rank;
        for (int i = 1; fits && i <= own.rank; ++i) {
            int64_t extent = own.dim[own.rank - i];
            fits = extent == 1 || extent == shape.dim[shape.rank - i];
        }
        if (fits) {
            return c;
        }
    }
    for (int i = 0; i < shape.rank && m->kind != RANDOM_SAMPLES; ++i) {
        shape.dim[i] = random_draw(m, 4) ? shape.dim[i] : 1;
    }
    return random_new_input(m, shape);
}

random_candidate random_pick_same(random_maker *m, evn_shape shape) {
    random_candidate c = random_pick_like(m, shape);
    c.value = evn_broadcast(m->graph, c.value, shape);
    return c;
}

random_candidate random_pick_exact(random_maker *m, int rank) {
    for (int tries = 0; tries < 40; ++tries) {
        random_candidate c = m->known[random_draw(m, m->count)];
        if (c.exact && (rank < 0 || random_shape_of(m, c.value).rank == rank)) {
            return c;
        }
    }
    evn_shape image =
        EVN_SHAPE(1 + random_draw(m, 3), 4 + random_draw(m, 3), 5, 1 + random_draw(m, 9));
    return random_new_input(m, rank == 4 ? image : EVN_SHAPE(17));
}

random_candidate random_pick_image(random_maker *m) {
    for (int tries = 0; tries < 12; ++tries) {
        random_candidate c = random_pick(m);
        evn_shape s = random_shape_of(m, c.value);
        if (s.rank == 4 && s.dim[1] >= 3 && s.dim[2] >= 3) {
            return c;
        }
    }
    const int64_t channels[] = {1, 3, 8, 16, 17, 32};
    evn_shape s = EVN_SHAPE(1 + random_draw(m, 4), 3 + random_draw(m, 5), 3 + random_draw(m, 5),
                            channels[random_draw(m, 6)]);
    return random_new_input(m, s);
}

random_candidate random_pick_matrix(random_maker *m) {
    for (int tries = 0; tries < 12; ++tries) {
        random_candidate c = random_pick(m);
        if (random_shape_of(m, c.value).rank == 2) {
            return c;
        }
    }
    const int64_t extents[] = {1, 5, 15, 16, 17, 40, 130};
    return random_new_input(m, EVN_SHAPE(extents[random_draw(m, 7)], extents[random_draw(m, 7)]));
}
