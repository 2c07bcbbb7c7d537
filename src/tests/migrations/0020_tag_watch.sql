UPDATE services SET watch = 'notify';
INSERT INTO watched_tags (service_id, image, digest, handled, looked, next, failures)
SELECT id, 'ghcr.io/acme/web:1', 'sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752', NULL, 1700000000, 1700000300, 0
  FROM services LIMIT 1;
