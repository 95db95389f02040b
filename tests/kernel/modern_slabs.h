/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages and slab caches, as modern.c's kernels have them: with LAYOUT_MIDDLE as before 5.17 (struct
 * page is the slab's, CPUs have slabs of their own, a flag says that it is one), else as 7.1 has
 * them (struct slab, sheaves, a mask in tail pages, page_type).
 */
struct kmem_cache_cpu;
struct kmem_cache_node;
struct slub_percpu_sheaves;

#ifdef LAYOUT_MIDDLE
enum pageflags { PG_locked, PG_slab = 8, PG_head = 15 };
struct page {
	unsigned long flags;
	union {
		struct {
			struct list_head lru;
			void *mapping;
			unsigned long index;
			unsigned long private;
		};
		struct {
			struct list_head slab_list;
			struct kmem_cache *slab_cache;
			void *freelist;
			union {
				unsigned long counters;
				struct {
					unsigned inuse : 16, objects : 15, frozen : 1;
				};
			};
		};
		unsigned long compound_head;
	};
	atomic_t _mapcount, _refcount;
	unsigned long mem_cgroup;
};
struct kmem_cache_cpu {
	void **freelist;
	unsigned long tid;
	struct page *page, *partial;
};
#else
enum pagetype { PGTY_buddy = 0xf0, PGTY_table = 0xf2, PGTY_slab = 0xf5 };
struct page {
	unsigned long flags, compound_info, lru_next, mapping, index, private;
	u32 page_type;
	atomic_t _refcount;
	unsigned long memcg_data;
};
struct slab {
	unsigned long flags;
	struct kmem_cache *slab_cache;
	struct list_head slab_list;
	struct {
		void *freelist;
		union {
			unsigned long counters;
			struct {
				unsigned inuse : 16, objects : 15, frozen : 1;
			};
		};
	};
	u32 __page_type;
	atomic_t __page_refcount;
	unsigned long obj_exts;
};
struct slab_sheaf {
	union {
		struct list_head barn_list;
		unsigned capacity;
	};
	struct kmem_cache *cache;
	unsigned size;
	int node;
	void *objects[];
};
struct slub_percpu_sheaves {
	u32 lock;
	struct slab_sheaf *main, *spare, *rcu_free;
};
struct node_barn {
	u32 lock;
	struct list_head sheaves_full, sheaves_empty;
};
struct kmem_cache_per_node_ptrs {
	struct node_barn *barn;
	struct kmem_cache_node *node;
};
#endif

struct kmem_cache {
#ifdef LAYOUT_MIDDLE
	struct kmem_cache_cpu *cpu_slab;
#else
	struct slub_percpu_sheaves *cpu_sheaves;
#endif
	unsigned flags, size, object_size, offset;
	int red_left_pad;
	const char *name;
	struct list_head list;
	unsigned long random;
#ifdef LAYOUT_MIDDLE
	struct kmem_cache_node *node[64];
#else
	struct kmem_cache_per_node_ptrs per_node[64];
#endif
};
struct list_head slab_caches;
unsigned long max_pfn = 0x40000;
