INSERT INTO activity (at, actor, verb, subject, detail)
VALUES (1700000000, 'ada', 'account.created', 'acc_000000000001', ''),
       (1700000001, 'slipway', 'build.finished', 'bld_000000000001', '#1');
