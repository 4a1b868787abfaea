import 'reflect-metadata';

// Git must not read the machine's or the user's configuration: a test's result may not depend on either.
process.env['GIT_CONFIG_GLOBAL'] = '/dev/null';
process.env['GIT_CONFIG_SYSTEM'] = '/dev/null';
process.env['GIT_CONFIG_NOSYSTEM'] = '1';
