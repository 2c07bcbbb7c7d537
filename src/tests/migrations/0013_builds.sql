UPDATE builds SET trigger = '{"kind":"push","host":"GitHub","by":"ada"}', builder = 'This engine', record = '{"steps":3}';
