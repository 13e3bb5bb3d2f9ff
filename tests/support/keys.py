"""Private keys of the tests. To find a large one takes a tenth of a second, in each worker."""

from cryptography.hazmat.primitives.asymmetric import ec, rsa

RSA_KEY = rsa.generate_private_key(65_537, 2_048)
OTHER_RSA_KEY = rsa.generate_private_key(65_537, 2_048)
SHORT_RSA_KEY = rsa.generate_private_key(65_537, 1_024)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_EC_KEY = ec.generate_private_key(ec.SECP256R1())
