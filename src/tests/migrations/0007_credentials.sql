UPDATE credentials SET namespaces = '["shop"]', realm = 'https://auth.example.net', expires_on = '2027-03-31';
